"""Attributes that TMF637 Product Inventory alone has (see engine.attributes)."""

TABLE = """
Product: id href description isBundle:flag isCustomerVisible:flag name orderDate:time
  productSerialNumber startDate:time terminationDate:time agreement:AgreementItemRef*
  billingAccount:BillingAccountRef place:RelatedPlaceRefOrValue* product:ProductRefOrValue*
  productCharacteristic:Characteristic* productOffering:ProductOfferingRef
  productOrderItem:RelatedProductOrderItem* productPrice:ProductPrice*
  productRelationship:ProductRelationship* productSpecification:ProductSpecificationRef
  productTerm:ProductTerm* realizingResource:ResourceRef* realizingService:ServiceRef*
  relatedParty:RelatedParty* status:ProductStatusType
ProductRefOrValue: id href description isBundle:flag isCustomerVisible:flag name orderDate:time
  productSerialNumber startDate:time terminationDate:time agreement:AgreementItemRef*
  billingAccount:BillingAccountRef place:RelatedPlaceRefOrValue* product:ProductRefOrValue*
  productCharacteristic:Characteristic* productOffering:ProductOfferingRef
  productOrderItem:RelatedProductOrderItem* productPrice:ProductPrice*
  productRelationship:ProductRelationship* productSpecification:ProductSpecificationRef
  productTerm:ProductTerm* realizingResource:ResourceRef* realizingService:ServiceRef*
  relatedParty:RelatedParty* status:ProductStatusType @referredType
ProductRelationship: relationshipType! product:ProductRefOrValue!
RelatedParty: id! href name role @referredType!
"""
